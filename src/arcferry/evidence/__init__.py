"""What people hand in and what probes saw: documents, their readers, and the case that they make."""
