package other

import data.main

q := sprintf("x")
