"""Wire formats: bytes to headers and messages, without IO."""
