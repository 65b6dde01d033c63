"""The demo: a whole Scrip on this machine, shown with figures. Run `python -m deploy.demo`."""
