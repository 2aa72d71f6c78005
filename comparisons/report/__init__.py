"""How results are shown: tables on the terminal and plots."""
