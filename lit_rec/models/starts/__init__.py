"""What a model predicts before it is trained: closed forms, fitted on the training rows."""
