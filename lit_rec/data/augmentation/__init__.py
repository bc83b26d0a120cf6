"""Changed texts and histories that training sees beside the real ones."""
