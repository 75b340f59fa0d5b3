"""From picture files to their readings, in processes of their own."""
