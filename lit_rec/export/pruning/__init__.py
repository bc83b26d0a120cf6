"""From an encoder of many words to one of the words of a data set."""
