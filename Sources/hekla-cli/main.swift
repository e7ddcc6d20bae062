print("hekla")
