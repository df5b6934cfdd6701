"""One function per file type: path in, Draft out. Each raises BadDocument with a reason a person understands."""
