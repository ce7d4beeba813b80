//! The runtime's pallets together, through real blocks. One program for all themes: it links once.
