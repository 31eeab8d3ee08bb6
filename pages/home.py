"""The entry that the front door starts: navigation around the page that was asked for."""

from pages import shell

shell.run()
