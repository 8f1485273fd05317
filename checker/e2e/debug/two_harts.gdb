# Two harts add a reference to one frame, and one addition is lost.
monitor why
info threads
monitor pages
# Hart 0 has its turn when hart 1 has read the count, and has not written it.
thread 1
stepi
info threads
thread 2
frame
# What it does then is done with the old count.
break kernel::frame_add_reference
reverse-continue
info threads
continue
delete
continue
monitor pages
kill
