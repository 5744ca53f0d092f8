//! Commands, events, rejects and replies: plain data and their stored byte forms.
