"""Unpacking of pictures in Parquet files and tars into a folder with a table.

Pictures keep their bytes; the other columns or sidecar files become rows of metadata.csv.
"""
