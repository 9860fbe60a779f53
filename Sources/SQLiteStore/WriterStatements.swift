import GRDB

/// The writer's prepared statements.
struct WriterStatements {
    let begin: RawStatement
    let commit: RawStatement
    let insert: RawStatement
    let put: RawStatement
    let freshen: RawStatement
    let bodyChecksum: RawStatement
    let countVariants: RawStatement
    let trimVariants: RawStatement
    let deleteVariant: RawStatement
    let deletePlain: RawStatement
    let deleteUnreadable: RawStatement
    let otherVariants: RawStatement
    let deleteURI: RawStatement
    let logInvalidation: RawStatement
    let noteGroup: RawStatement
    let forgetGroups: RawStatement
    let deleteGroup: RawStatement
    let pruneInvalidations: RawStatement
    let openCache: RawStatement
    let deleteCacheRows: RawStatement
    let deleteCache: RawStatement
    let noteRequest: RawStatement
    let touch: RawStatement
    let beginBody: RawStatement
    let putChunk: RawStatement
    let chunkSums: RawStatement
    let hasBody: RawStatement
    let bodyState: RawStatement
    let showBody: RawStatement
    let orphanBody: RawStatement
    let orphanHidden: RawStatement
    let orphanLost: RawStatement
    let orphans: RawStatement
    let someChunks: RawStatement
    let deleteChunk: RawStatement
    let deleteBody: RawStatement
    let expired: RawStatement
    let leastTouched: RawStatement
    let fromHand: RawStatement
    let deleteRow: RawStatement
    let deleteTouch: RawStatement
    let noteUse: RawStatement
    let pageCount: RawStatement
    let freePageCount: RawStatement
    let writeMeta: RawStatement
    let dataVersion: RawStatement

    init(_ database: Database) throws {
        func prepare(_ sql: String) throws -> RawStatement {
            try RawStatement(sql, on: database)
        }
        begin = try prepare(Statements.begin)
        commit = try prepare(Statements.commit)
        insert = try prepare(Statements.insert)
        put = try prepare(Statements.put)
        freshen = try prepare(Statements.freshen)
        bodyChecksum = try prepare(Statements.bodyChecksum)
        countVariants = try prepare(Statements.countVariants)
        trimVariants = try prepare(Statements.trimVariants)
        deleteVariant = try prepare(Statements.deleteVariant)
        deletePlain = try prepare(Statements.deletePlain)
        deleteUnreadable = try prepare(Statements.deleteUnreadable)
        otherVariants = try prepare(Statements.otherVariants)
        deleteURI = try prepare(Statements.deleteURI)
        noteGroup = try prepare(Statements.noteGroup)
        forgetGroups = try prepare(Statements.forgetGroups)
        deleteGroup = try prepare(Statements.deleteGroup)
        logInvalidation = try prepare(Statements.logInvalidation)
        pruneInvalidations = try prepare(Statements.pruneInvalidations)
        openCache = try prepare(Statements.openCache)
        deleteCacheRows = try prepare(Statements.deleteCacheRows)
        deleteCache = try prepare(Statements.deleteCache)
        noteRequest = try prepare(Statements.noteRequest)
        touch = try prepare(Statements.touch)
        beginBody = try prepare(Statements.beginBody)
        putChunk = try prepare(Statements.putChunk)
        chunkSums = try prepare(Statements.chunkSums)
        hasBody = try prepare(Statements.hasBody)
        bodyState = try prepare(Statements.bodyState)
        showBody = try prepare(Statements.showBody)
        orphanBody = try prepare(Statements.orphanBody)
        orphanHidden = try prepare(Statements.orphanHidden)
        orphanLost = try prepare(Statements.orphanLost)
        orphans = try prepare(Statements.orphans)
        someChunks = try prepare(Statements.someChunks)
        deleteChunk = try prepare(Statements.deleteChunk)
        deleteBody = try prepare(Statements.deleteBody)
        expired = try prepare(Statements.expired)
        leastTouched = try prepare(Statements.leastTouched)
        fromHand = try prepare(Statements.fromHand)
        deleteRow = try prepare(Statements.deleteRow)
        deleteTouch = try prepare(Statements.deleteTouch)
        noteUse = try prepare(Statements.noteUse)
        pageCount = try prepare(Statements.pageCount)
        freePageCount = try prepare(Statements.freePageCount)
        writeMeta = try prepare(Statements.writeMeta)
        dataVersion = try prepare(Statements.dataVersion)
    }
}
