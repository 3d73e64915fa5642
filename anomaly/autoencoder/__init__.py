"""A recurrent autoencoder: its weights, how it reconstructs, and how it is trained."""
