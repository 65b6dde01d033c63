"""A page of another application that shows Scrip's two elements, on an origin of its own."""
