"""The only door to torch, transformers and the model hub; importing it loads neither."""
