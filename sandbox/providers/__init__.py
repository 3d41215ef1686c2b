"""Stand-ins for provider plugins, attached to the engine over gRPC."""
