"""Fine-tuning of a language model on supporters' turns, and its evaluation."""
