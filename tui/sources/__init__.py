"""Threads that observe the cluster and feed the Inbox."""
