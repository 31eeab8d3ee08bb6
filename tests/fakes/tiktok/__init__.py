"""A strict loopback TikTok (open.tiktokapis.com, v2) in a process of its own."""
