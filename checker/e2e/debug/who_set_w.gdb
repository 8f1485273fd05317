# Who set W in the PTE of p0's heap page? It lies at $pte, as `monitor pages heap` says.
monitor why
monitor where
continue
monitor pages heap
print (*(unsigned long *)$pte & 4) != 0
watch *(unsigned long *)$pte
reverse-continue
x/i $pc
backtrace 3
monitor where
print *(unsigned long *)$pte
delete
stepi
print (*(unsigned long *)$pte & 4) != 0
monitor step 3
maintenance flush register-cache
monitor where
print $priv
kill
