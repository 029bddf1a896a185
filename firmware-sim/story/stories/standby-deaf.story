# The standby hears nothing on any link, in each way that can come about: exactly one cut, of the owner, and all is well after.
config multiplier 15
start
expect reachable alpha within 5s
expect reachable bravo within 5s
run alpha arm
run bravo arm
expect owner alpha within 10s
expect standby bravo within 10s
expect linked within 10s
say bravo hears nothing of alpha, other ways cut 0
cut-net alpha->bravo
cut-cable alpha->bravo
expect owner bravo within 5s
expect fences 1 for 500ms
mend-cable
mend-net
expect standby alpha within 10s
expect linked within 5s
expect no-alarm alpha within 5s
expect no-alarm bravo within 5s
expect owner bravo for 100ms
say alpha hears nothing of bravo, other ways cut 2
cut-net bravo->alpha
cut-cable alpha->bravo
cut-cable bravo->alpha
expect owner alpha within 5s
expect fences 1 for 500ms
mend-cable
mend-net
expect standby bravo within 10s
expect linked within 5s
expect no-alarm alpha within 5s
expect no-alarm bravo within 5s
expect owner alpha for 100ms
say bravo hears nothing of alpha, other ways cut 8
cut-net alpha->bravo
cut-net bravo->alpha
cut-cable alpha->bravo
expect owner bravo within 5s
expect fences 1 for 500ms
mend-cable
mend-net
expect standby alpha within 10s
expect linked within 5s
expect no-alarm alpha within 5s
expect no-alarm bravo within 5s
expect owner bravo for 100ms
say alpha hears nothing of bravo, other ways cut 10
cut-net bravo->alpha
cut-net alpha->bravo
cut-cable alpha->bravo
cut-cable bravo->alpha
expect owner alpha within 5s
expect fences 1 for 500ms
mend-cable
mend-net
expect standby bravo within 10s
expect linked within 5s
expect no-alarm alpha within 5s
expect no-alarm bravo within 5s
expect owner alpha for 100ms
