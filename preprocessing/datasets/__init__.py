"""One dataset a file; every file here is imported, and so registered, on discovery."""
