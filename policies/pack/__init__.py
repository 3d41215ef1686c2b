"""How rules are judged: their form, the stack's configuration of them, waivers, and the way to Pulumi's policies."""
