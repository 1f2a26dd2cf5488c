"""The admin door of a running venue: its FIX sessions listed and operated, over HTTP and from the command line."""
