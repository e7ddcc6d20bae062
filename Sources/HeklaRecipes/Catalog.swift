import HeklaExperiments

/// The recipes that `hekla` knows, one line each.
public let catalog = RecipeCatalog([
  DAGNN.self,
  LotteryTicket.self,
  NestedSeg.self,
  PFN.self,
  PointerNet.self,
])
