"""Detectors on web pages: `js/` is the module that evaluates pictures in a browser, `page/` the page that people see.

`site.py` puts both, LiteRT.js and a bundle into one folder that any static host serves, and `serve.py` shows it from
this machine.
"""
