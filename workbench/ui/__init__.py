"""Everything Qt."""

from workbench.ui.lasting import keep_constants

keep_constants()
