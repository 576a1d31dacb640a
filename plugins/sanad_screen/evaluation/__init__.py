"""Evaluation of detectors of risk on labelled messages; needs the extra `eval`."""
