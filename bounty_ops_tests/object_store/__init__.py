"""The object store on a real SeaweedFS, through a proxy that misbehaves."""
