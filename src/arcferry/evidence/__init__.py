"""What people hand in and what probes saw: documents, the readers that recognise them, and the case they make."""
