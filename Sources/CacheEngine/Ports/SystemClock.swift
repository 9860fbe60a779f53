package import HTTPCaching

#if canImport(Darwin)
    import Darwin
#elseif canImport(Musl)
    import Musl
#else
    import Glibc
#endif

/// The system's wall clock.
package struct SystemClock: WallClock {
    package init() {}

    package func now() -> EpochSeconds {
        var time = timespec()
        clock_gettime(CLOCK_REALTIME, &time)
        return EpochSeconds(time.tv_sec)
    }
}
