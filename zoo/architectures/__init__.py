"""One file a family of architectures; the registry imports every file in this folder."""
