"""What people see: pages on the server's side, whole without JavaScript, better with a little.

A page is a value first (a `View`, made by a function that can be tested) and HTML second. Numbers
come from the same functions as the JSON endpoints', so that a page and its JSON cannot disagree.
"""
