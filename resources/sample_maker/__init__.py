"""Makes the sample project; run through `resources/make_sample.py`, never imported by Workbench itself."""
