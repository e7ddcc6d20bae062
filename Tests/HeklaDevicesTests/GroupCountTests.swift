import HeklaDevices
import Testing

@Suite struct GroupCountTests {
  @Test(arguments: [
    0, 1, 2, 65_534, 65_535, 65_536, 100_000, 65_535 * 65_535, 65_535 * 65_535 + 1, 5_000_000_000,
  ])
  func `a folded grid holds all groups, keeps to the limit and wastes less than a row of each axis`(
    groups: Int
  ) {
    let grid = GroupCount(folding: groups)
    #expect(grid.count >= groups)
    #expect([grid.x, grid.y, grid.z].allSatisfy { (1...65_535).contains($0) })
    #expect(grid.count - max(groups, 1) < (grid.z == 1 ? grid.x : grid.x * grid.y))
  }

  @Test func `up to the limit the grid is one row`() {
    #expect(GroupCount(folding: 65_535) == GroupCount(65_535))
    #expect(GroupCount(folding: 65_536) == GroupCount(65_535, 2))
    #expect(GroupCount(2, 3, 4).count == 24)
  }
}
