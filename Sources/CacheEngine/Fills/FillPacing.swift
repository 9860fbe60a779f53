import NIOCore

/// Why a fill does not read from the origin at present, and until when it may be so.
struct FillPacing {
    enum Cause: Hashable {
        /// A slow client, where no row helps.
        case readers
        /// The writer is behind.
        case storing
        /// Memory is short.
        case memory
    }

    private(set) var cause: Cause?
    private var deadline: Scheduled<Void>?

    /// Notes the present cause; true if it is another than before.
    mutating func become(_ cause: Cause?) -> Bool {
        guard cause != self.cause else { return false }
        self.cause = cause
        deadline?.cancel()
        deadline = nil
        return true
    }

    mutating func set(deadline: Scheduled<Void>) {
        self.deadline = deadline
    }

    mutating func end() {
        deadline?.cancel()
        deadline = nil
        cause = nil
    }
}

extension Fill {
    /// Pauses or resumes the origin by what holds it back now.
    func pace() {
        guard phase == .streaming else { return }
        let cause = cause()
        guard pacing.become(cause) else { return }
        guard let cause else {
            exchange?.resumeReading()
            return
        }
        exchange?.pauseReading()
        let timeouts = engine.configuration.fillTimeouts
        let wait =
            switch cause {
            case .readers: timeouts.slowReader
            case .storing: timeouts.storing
            // Nobody says when there is room again.
            case .memory: TimeAmount.milliseconds(50)
            }
        pacing.set(
            deadline: loop.assumeIsolated().scheduleTask(in: wait) { [weak self] in
                self?.pacedTooLong()
            })
    }

    private func cause() -> FillPacing.Cause? {
        if bodyWriter?.mustWait == true { return .storing }
        if log.update({ $0.mustPace }) { return .readers }
        // One that nobody could drain would wait for itself.
        let isHolding = log.update { $0.windowBytes } > 0
        return isHolding && engine.budget.level == .noReading ? .memory : nil
    }

    private func pacedTooLong() {
        guard phase == .streaming, let cause = pacing.cause else { return }
        switch cause {
        case .storing: giveUpStoring()
        // One reader alone keeps nobody waiting.
        case .readers where log.update({ $0.cursorCount }) > 1: log.cutSlowest()
        case .readers, .memory: break
        }
        _ = pacing.become(nil)
        exchange?.resumeReading()
        pace()
    }
}
