# stand-in, empty on purpose
