"""The stages of the alert pipeline, one file each; their order is in alerting/pipeline.py."""
