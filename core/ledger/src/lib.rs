//! Accounts, balances and holds; every posting sums to zero per asset.
