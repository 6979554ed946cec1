"""Pictures that come inside other files, Parquet rows and tars, become files in a folder with a table beside them.

The bytes of the pictures are kept as they are; what a row or a sidecar says of each becomes a row of metadata.csv.
"""
