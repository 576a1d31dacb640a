"""Conversations for training: imported from many forms, cleaned, checked and split."""
