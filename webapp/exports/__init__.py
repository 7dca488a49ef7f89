"""What leaves the reading room: pictures, reports, tables and DICOM."""
