"""What examples/build is made of: one file per format."""
