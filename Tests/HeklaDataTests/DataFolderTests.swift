import HeklaData
import Testing

@Suite("Data folder")
struct DataFolderTests {
  @Test("The data folder is the explicit one, then the environment's, and has to exist")
  func dataFolder() throws {
    let first = try TemporaryFolder()
    let second = try TemporaryFolder()
    let (one, two) = (first.path, second.path)
    #expect(try DataFolder.resolve(explicit: one, environment: ["HEKLA_DATA": two]) == one)
    #expect(try DataFolder.resolve(explicit: nil, environment: ["HEKLA_DATA": two]) == two)
    for environment in [[:], ["HEKLA_DATA": ""]] {
      #expect(
        try dataError { try DataFolder.resolve(explicit: nil, environment: environment) }
          == .folderNotGiven)
    }
    let file = try first.file("a", "x")
    for path in [one + "/none", file, ""] {
      #expect(
        try dataError { try DataFolder.resolve(explicit: path, environment: ["HEKLA_DATA": two]) }
          == .missingFolder(path: path))
    }
    #expect(
      try dataError { try DataFolder.resolve(explicit: nil, environment: ["HEKLA_DATA": one + "/none"]) }
        == .missingFolder(path: one + "/none"))
  }
}
