"""Does Django's own test suite pass with this site's handler and middleware?"""
