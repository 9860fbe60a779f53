import CacheEngine

/// The system's wall clock.
struct SystemClock: WallClock {
    func now() -> Int64 { Platform.wallClock().seconds }
}
