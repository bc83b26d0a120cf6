"""Parts that import peft, an extra: nothing here is imported before a tuning of peft is applied."""
