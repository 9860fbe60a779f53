import Testing

/// Random origins, writers and clients on one log; a failure names the seed that repeats it.
@Suite struct FillLogSimulationTests {
    @Test(arguments: (0..<8).map { UInt64($0) })
    func everyClientGetsAPrefixOfTheBody(block: UInt64) {
        for seed in block * 50..<(block + 1) * 50 {
            var model = FillLogModel(seed: seed)
            model.run()
            #expect(model.faults.isEmpty, "seed \(seed): \(model.faults.prefix(3))")
        }
    }
}
