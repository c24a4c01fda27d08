"""How does this site compare with its peers, side by side on one machine?"""
