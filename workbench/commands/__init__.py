"""One module per stage for the command line; `workbench.cli` gathers them."""
