"""The whole path of a token: upstream, product, browser; and beside it the same path through a yardstick."""
